model M
  Real x;
  Real x;
end M;