model M
  Real y = 2^3^4;
end M;