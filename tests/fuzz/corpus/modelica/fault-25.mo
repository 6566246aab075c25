model M
  Real z[3] = {1, 2};
end M;