model M
  Real x = foo(1);
end M;