connector C = input Real; model M C c[2]; C d[3]; equation
  connect(c, d);
end M;