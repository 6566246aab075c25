model M
  Real x[2]; Real y = x[3];
end M;