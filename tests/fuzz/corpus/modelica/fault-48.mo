function g input Real x; output Real y; external "C"; end g;
model M
  Real y = g(1);
end M;