model T Real level; end T;
model M
  T t;
equation
  t.levle = 1;
end M;