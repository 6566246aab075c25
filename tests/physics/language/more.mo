// Small models of many kinds: friction, sources, limits, orders of derivatives.

//--- friction with a mode of Integer, backward, stuck, forward
//= stop 3
//= w 0 within 1e-6
model Friction
  Real w(start = 10, fixed = true), a, tau, sa;
  parameter Real tau0 = 5, J = 1;
  Boolean free = false, startForward(start = false, fixed = true), startBackward(start = false, fixed = true), locked(start = false);
  Integer mode(start = 3, final min = -1, max = 3);
  parameter Integer Unknown = 3, Free = 2, Forward = 1, Stuck = 0, Backward = -1;
  Real w_relfric, a_relfric, unitA = 1, unitT = 1;
equation
  J*a = -tau;
  a = der(w);
  w_relfric = w;
  a_relfric = a;
  startForward = pre(mode) == Stuck and (sa > tau0/unitT or pre(startForward) and sa > tau0/unitT) or pre(mode) == Backward and w_relfric > 1e-8 or initial() and w_relfric > 0;
  startBackward = pre(mode) == Stuck and (sa < -tau0/unitT or pre(startBackward) and sa < -tau0/unitT) or pre(mode) == Forward and w_relfric < -1e-8 or initial() and w_relfric < 0;
  locked = not free and not (pre(mode) == Forward or startForward or pre(mode) == Backward or startBackward);
  a_relfric/unitA = if locked then 0 else if free then sa else if startForward then sa - tau0/unitT else if startBackward then sa + tau0/unitT else if pre(mode) == Forward then sa - tau0/unitT else sa + tau0/unitT;
  tau/unitT = if locked then sa else if free then 0 else (if startForward then tau0/unitT else if startBackward then -tau0/unitT else if pre(mode) == Forward then tau0/unitT else -tau0/unitT);
  mode = if free then Free else (if (pre(mode) == Forward or pre(mode) == Free or startForward) and w_relfric > 0 then Forward else if (pre(mode) == Backward or pre(mode) == Free or startBackward) and w_relfric < 0 then Backward else Stuck);
end Friction;

//--- an accelerated mass by position, twice differentiated source
//= stop 1
//= s 0.5 within 1e-5
//= f 1 within 1e-5
model Main
  Real s(stateSelect = StateSelect.prefer), v, a, f;
  Real ref = 0.5*time^2;
equation
  s = ref;
  v = der(s);
  a = der(v);
  f = 1*a;
end Main;

//--- a thyristor-like memory with elsewhen and pre
//= stop 1
//= n 3 within 0
model M
  Integer n(start = 0, fixed = true);
  Boolean a = time > 0.1, b = time > 0.2;
equation
  when {a, b, time > 0.3} then
    n = pre(n) + 1;
  end when;
end M;

//--- time table and periodic sources by sample
//= stop 2.2
//= y 1 within 1e-12
model Pulse
  parameter Real period = 1, width = 0.5;
  discrete Real T0(start = 0, fixed = true);
  Integer count(start = 0, fixed = true);
  Real y;
equation
  when sample(0, period) then
    T0 = time;
    count = pre(count) + 1;
  end when;
  y = if time < T0 + width then 1 else 0;
end Pulse;

//--- a PI controller with limits and anti-windup
//= stop 20
//= x 1 within 1e-4
model PI
  Real x(start = 0, fixed = true), i(start = 0, fixed = true), u, e, raw;
equation
  e = 1 - x;
  raw = 3*e + i;
  u = max(-1.5, min(1.5, raw));
  der(i) = 2*e + 5*(u - raw);
  der(x) = u - x;
end PI;

//--- string parameter comparisons and arrays of strings
//= y 2 within 0
model S
  parameter String names[3] = {"a", "b", "c"};
  Real y = if names[2] == "b" then 2 else 1;
end S;

//--- a variable that only the beginning decides, with an initial algorithm
//= stop 1
//= k 3 within 0
//= x 3 within 1e-9
model S
  parameter Real k(fixed = false);
  Real x(start = 0);
initial algorithm
  k := 1;
  for i in 1:2 loop
    k := k + 1;
  end for;
initial equation
  x = k;
equation
  der(x) = 0;
end S;

//--- a short function and a function partially applied in a constant
//= y 2.5 within 1e-12
model S
  function mean = average(n = 2);
  function average
    input Real a, b;
    input Integer n = 2;
    output Real m;
  algorithm
    m := (a + b)/n;
  end average;
  Real y = mean(2, 3);
end S;

//--- an operator record
//= z.re 4 within 0
model S
  operator record Complex
    Real re, im;
  end Complex;
  Complex a = Complex(1, 2), z;
equation
  z.re = 4*a.re;
  z.im = 0;
end S;

//--- Integer arithmetic and conversion of Booleans
//= a 7 within 0
//= b 3 within 0
//= c 1 within 0
model S
  Integer a = 3 + 4, b = div(a, 2), c = if a > b then 1 else 0;
end S;

//--- multiple derivative with der(der(x)) through a variable
//= stop 1
//= x 0.841470984808 within 1e-5: sin(1)
model S
  Real x(start = 0, fixed = true), v(start = 1, fixed = true);
equation
  v = der(x);
  der(v) + x = 0;
end S;

//--- when with a Real crossing of a state used in two branches
//= stop 3
//= n 2 within 0
model S
  Real x(start = 0, fixed = true);
  Integer n(start = 0, fixed = true);
equation
  der(x) = 1;
  when x > 1 then
    n = pre(n) + 1;
  elsewhen x > 2 then
    n = pre(n) + 1;
  end when;
end S;

//--- reinit in a when with elsewhen
//= stop 2.5
//= x 0.5 within 1e-6
model S
  Real x(start = 0, fixed = true);
  discrete Real d(start = 1, fixed = true);
equation
  der(x) = d;
  when x >= 1 then
    reinit(x, 0);
  elsewhen x <= -1 then
    reinit(x, 0);
  end when;
  when time > 100 then
    d = -pre(d);
  end when;
end S;
