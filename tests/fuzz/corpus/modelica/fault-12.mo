model M
  x = 1;
end M;