connector A Real p; flow Real f; end A; connector B Real p; Real f; end B; model M A a; B b; equation
  connect(a, b);
end M;