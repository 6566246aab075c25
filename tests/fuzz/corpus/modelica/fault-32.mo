model M
  Integer n; Real x[n];
end M;