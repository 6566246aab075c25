function f input Real x; output Real y; algorithm y := x; end f;
model M
  Real z = f();
end M;