model M
  Real x;
