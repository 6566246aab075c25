model M
  Real x;
end N;