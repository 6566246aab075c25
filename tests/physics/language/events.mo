// Events: when, sample, reinit, terminate, delay, states that jump.

//--- a bouncing ball
//= stop 1
//= v 0.156255565658 within 1e-6: sqrt(2 * 9.81)/4-9.81 * (1-2 * sqrt(2/9.81))
//= n 2 within 0
model Ball
  parameter Real e = 0.5, g = 9.81;
  Real h(start = 1, fixed = true), v(start = 0, fixed = true);
  Integer n(start = 0, fixed = true);
equation
  der(h) = v;
  der(v) = -g;
  when h <= 0 then
    reinit(v, -e*pre(v));
    n = pre(n) + 1;
  end when;
end Ball;

//--- a thermostat with memory
//= stop 2
//= on 0 within 0
//= x 21.119213703 within 1e-6: 10 + 12 * exp(-(2-3 * (log(12/8) + log(22/18))-log(20/18)))
model T
  Real x(start = 20, fixed = true);
  Boolean on(start = true, fixed = true);
equation
  der(x) = (if on then 30 else 0) - (x - 10);
  on = not (pre(on) and x > 22) and (pre(on) or x < 18);
end T;

//--- edge, change, pre of integers
//= stop 1
//= up 3 within 0
//= any 6 within 0
model E
  Boolean b = sin(2*Modelica.Constants.pi*3*time + 0.1) > 0;
  Integer up(start = 0, fixed = true), any(start = 0, fixed = true);
equation
  when edge(b) then
    up = pre(up) + 1;
  end when;
  when change(b) then
    any = pre(any) + 1;
  end when;
end E;

//--- sampled control of a continuous plant
//= stop 1
//= x 0.63195053545 within 1e-6: 1-0.9^9 * 0.95
//= k 10 within 0
model S
  Real x(start = 0, fixed = true);
  discrete Real u(start = 0, fixed = true);
  Integer k(start = 0, fixed = true);
equation
  der(x) = u;
  when sample(0.05, 0.1) then
    u = 1 - x;
    k = pre(k) + 1;
  end when;
end S;

//--- terminate ends a run
//= stop 10
//= time 2 within 1e-6
model S
  Real x(start = 0, fixed = true);
equation
  der(x) = 1;
  when x > 2 then
    terminate("enough");
  end when;
end S;

//--- an assert that fails is an error
//= stop 10
//= error too high
model S
  Real x(start = 0, fixed = true);
equation
  der(x) = 1;
  assert(x < 2, "too high");
end S;

//--- delay by a constant
//= stop 3
//= y 4 within 1e-4
model S
  Real x = time^2;
  Real y = delay(x, 1);
end S;

//--- when in an algorithm
//= stop 1
//= n 5 within 0
//= y 5 within 0
model S
  discrete Integer n(start = 0, fixed = true);
  discrete Real y(start = 0);
algorithm
  when sample(0.1, 0.2) then
    n := pre(n) + 1;
    y := n;
  end when;
end S;

//--- when with initial, and variables without fixed
//= stop 1
//= k 2 within 0
model S
  Real x(start = 0);
  discrete Real k;
initial equation
  x = 0;
equation
  der(x) = 1;
  when initial() then
    k = 2;
  end when;
end S;

//--- a pulse of time events, written with pre of a time
//= stop 1
//= n 4 within 0
//= next 1.25 within 1e-9
model S
  discrete Real next(start = 0.25, fixed = true);
  Integer n(start = 0, fixed = true);
equation
  when time >= pre(next) then
    next = pre(next) + 0.25;
    n = pre(n) + 1;
  end when;
end S;

//--- two whens that trigger one another
//= stop 1
//= a 1 within 0
//= b 1 within 0
model S
  Boolean a(start = false, fixed = true), b(start = false, fixed = true);
equation
  when time > 0.5 then
    a = true;
  end when;
  when a then
    b = true;
  end when;
end S;

//--- reinit of two states at once
//= stop 1
//= x 0.25 within 1e-6
//= y 4.25 within 1e-6
model S
  Real x(start = 0, fixed = true), y(start = 0, fixed = true);
equation
  der(x) = 1;
  der(y) = 1;
  when x > 0.75 then
    reinit(x, 0);
    reinit(y, y + x + 2.5);
  end when;
end S;

//--- if with conditions that vary in both branches
//= stop 2
//= x 1.5 within 1e-6
model S
  Real x(start = 0, fixed = true);
equation
  if x < 1 then
    der(x) = 1;
  else
    der(x) = 0.5;
  end if;
end S;

//--- an ideal switch with a parameter of connection
//= stop 1
//= i 5 within 1e-9
model S
  parameter Real Ron = 1e-5, Goff = 1e-5;
  Boolean closed = time > 0.5;
  Real s, v, i;
equation
  v = s*(if closed then Ron else 1);
  i = s*(if closed then 1 else Goff);
  v + 2*i = 10 + Ron*i;
end S;

//--- a state machine with integers in if
//= stop 4.5
//= state 1 within 0
//= timer 4 within 1e-9
model S
  Integer state(start = 1, fixed = true);
  discrete Real timer(start = 0, fixed = true);
equation
  when pre(state) == 1 and time > pre(timer) + 1 then
    state = 2;
    timer = time;
  elsewhen pre(state) == 2 and time > pre(timer) + 1 then
    state = 1;
    timer = time;
  end when;
end S;

//--- inputs have values from start, and outputs follow
//= stop 1
//= y 6 within 1e-9
model S
  input Real u(start = 3);
  output Real y = 2*u;
end S;

//--- nested if expressions with and, or, not
//= stop 1
//= y 3 within 0
model S
  Boolean a = time > 0.2, b = time > 0.6;
  Real y = if a and not b then 2 elseif a or b then 3 else 1;
end S;

//--- Boolean equations in a loop through pre
//= stop 1
//= q 1 within 0
model RS
  Boolean s = time > 0.2 and time < 0.3, r = time > 2;
  Boolean q(start = false, fixed = true);
equation
  q = s or pre(q) and not r;
end RS;

//--- start values that a state inherits from parameters
//= stop 1
//= x 2.94303552937 within 1e-6: 8 * exp(-1)
model S
  parameter Real x0 = 4*two;
  parameter Real two = 2;
  Real x(start = x0, fixed = true);
equation
  der(x) = -x;
end S;

//--- a nonlinear beginning without fixed values
//= stop 1
//= x 0.367879441171 within 1e-6: exp(-1)
model S
  Real x(start = 0.5), y;
initial equation
  x^3 + x = 2;
equation
  der(x) = -x;
  y = x^2;
end S;

//--- a steady beginning
//= stop 1
//= x 4 within 1e-6
model S
  Real x(start = 1);
initial equation
  der(x) = 0;
equation
  der(x) = 2 - sqrt(x);
end S;

//--- parameters decided by the beginning
//= stop 1
//= y 5 within 1e-6
model S
  parameter Real k(fixed = false, start = 1);
  Real x(start = 2, fixed = true);
  Real y = k*x;
initial equation
  k*x^2 = 10;
equation
  der(x) = 0;
end S;
