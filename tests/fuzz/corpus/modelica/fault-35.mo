function f input Real x; output Real y; algorithm
  while x > 1 loop
    y := 1;
  end while;
end f;
model M Real z = f(time); end M;