model M Real x; equation
  reinit(x, 1);
end M;