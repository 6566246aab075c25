model M
  Real x = 1 + true;
end M;