model M
  parameter Integer i = 1.5;
end M;