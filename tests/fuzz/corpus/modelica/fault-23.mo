model M
  parameter Boolean b = 3;
end M;