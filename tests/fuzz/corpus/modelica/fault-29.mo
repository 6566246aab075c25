model M
  Real x[2, 3]; Real y[3] = x*{1, 2};
end M;