model M
  parameter Real p = x;
  Real x = 1;
end M;