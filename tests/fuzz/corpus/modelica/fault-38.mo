connector A Real p; end A; connector B Real q; end B; model M A a; B b; equation
  connect(a, b);
end M;