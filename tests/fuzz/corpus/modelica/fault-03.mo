model M
algorithm
  x = 1;
end M;