function f input Real x; output Real y; algorithm y := f(x); end f;
model M Real z = f(time); end M;