model M
  Real height;
equation
  heigth = 1;
end M;