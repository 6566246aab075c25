model M
equation
  x = ;
end M;