model M
  outer Real x;
end M;