model M
  Boolean b = 1 < 2 < 3;
end M;