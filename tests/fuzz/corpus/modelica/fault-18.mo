model T parameter Real A = 1; end T;
model M
  T t(a = 2);
end M;