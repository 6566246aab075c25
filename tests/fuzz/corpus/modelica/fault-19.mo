model M
  Real x(strat = 1);
end M;