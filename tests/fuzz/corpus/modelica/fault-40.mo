model M Real a; Real b; equation
  connect(a, b);
end M;