// Functions, reductions, records and conversions.

//--- break, return, while
//= a 4 within 0
//= b 6 within 0
//= c 10 within 0
model A
  function first_above
    input Real x[:];
    input Real limit;
    output Integer k;
  algorithm
    k := 0;
    for i in 1:size(x, 1) loop
      if x[i] > limit then
        k := i;
        break;
      end if;
    end for;
  end first_above;
  function early
    input Integer n;
    output Integer y;
  algorithm
    y := 0;
    for i in 1:10 loop
      y := y + i;
      if i >= n then
        return;
      end if;
    end for;
    y := -1;
  end early;
  function collatz
    input Integer n;
    output Integer steps = 0;
  protected
    Integer k = n;
  algorithm
    while k <> 1 loop
      k := if mod(k, 2) == 0 then div(k, 2) else 3*k + 1;
      steps := steps + 1;
    end while;
  end collatz;
  Integer a = first_above({1, 2, 3, 9, 3}, 5);
  Integer b = early(3);
  Integer c = collatz(12) + 1;
end A;

//--- early exit decided during the run
//= stop 2
//= y 7.5 within 1e-9
model A
  function stairs
    input Real x;
    output Real y;
  algorithm
    y := 0;
    for i in 1:10 loop
      if x < i then
        y := y + 0.5*(i - 1);
        return;
      end if;
      y := y + i;
    end for;
  end stairs;
  Real y = stairs(2 + 0.75*time);
end A;

//--- recursion, defaults, named arguments
//= f 120 within 0
//= g 7 within 0
model A
  function fac
    input Integer n;
    output Integer y;
  algorithm
    y := if n <= 1 then 1 else n*fac(n - 1);
  end fac;
  function line
    input Real x;
    input Real slope = 2;
    input Real offset = 1;
    output Real y = slope*x + offset;
  algorithm
  end line;
  Integer f = fac(5);
  Real g = line(2, offset = 3);
end A;

//--- records through functions
//= c.re -5 within 0
//= c.im 10 within 0
//= n 125 within 1e-12
model A
  record Complex
    Real re, im;
  end Complex;
  function times
    input Complex a, b;
    output Complex y;
  algorithm
    y.re := a.re*b.re - a.im*b.im;
    y.im := a.re*b.im + a.im*b.re;
  end times;
  function norm
    input Complex c;
    output Real y = c.re^2 + c.im^2;
  algorithm
  end norm;
  Complex c = times(Complex(1, 2), Complex(3, 4));
  Real n = norm(c);
end A;

//--- rounding and division
//= a 2 within 0
//= b -2 within 0
//= c 1 within 0
//= d -1 within 0
//= e 2 within 0
//= f -3 within 0
//= g -2 within 0
//= h 1 within 0
//= i -1 within 0
//= j 3.5 within 0
//= k 1.5 within 1e-12
model A
  Integer a = div(7, 3);
  Integer b = div(-7, 3);
  Integer c = rem(7, 3);
  Integer d = rem(-7, 3);
  Integer e = mod(-7, 3);
  Integer f = integer(floor(-2.5));
  Integer g = integer(ceil(-2.5));
  Integer h = sign(3);
  Integer i = sign(-0.5);
  Real j = abs(-3.5);
  Real k = mod(-4.5, 2);
end A;

//--- rounding changes at its instants
//= stop 3.5
//= x 6.0 within 1e-6
//= y 2.0 within 1e-6
//= n 3 within 0
model A
  Real x(start = 0, fixed = true);
  Real y(start = 0, fixed = true);
  Integer n = integer(time);
equation
  der(x) = floor(time) + (if time > 3 then 3 else 0)*0 + (if n >= 3 then 3 else 0);
  der(y) = if mod(time, 1) < 0.5 then 1 else 0;
end A;

//--- enumerations
//= k 2 within 0
//= n 3 within 0
//= s 6 within 0
//= lt 1 within 0
//= v[2] 20 within 0
model A
  type Gear = enumeration(low "slow", mid, high);
  parameter Gear g = Gear.mid;
  Integer k = Integer(g);
  Integer n = size({q for q in Gear}, 1);
  Integer s = sum(Integer(q) for q in Gear);
  Boolean lt = g < Gear.high;
  Real v[Gear] = {10, 20, 30};
  Real w = v[Gear.high];
  Gear changing = if time < 0.5 then Gear.low else Gear.high;
end A;

//--- the derivative of expressions
//= stop 1
//= d1 -0.832293673094 within 1e-6: 2 * cos(2)
//= d2 3 within 1e-6
//= x 2 within 1e-5
//= d3 6 within 1e-9
model A
  Real x(start = 1, fixed = true);
  Real y = x^2;
  Real d1 = der(sin(2*time));
  Real d2 = der(y)*(if time < -1 then 0 else 1);
  Real a = 3*time^2;
  Real d3 = der(a);
equation
  der(x*x) = 3 - 0*x + (4*time - 2)*0 + 0*(2*time);
end A;

//--- a second derivative, and a function with a derivative of its own
//= stop 1
//= d 0.540302305868 within 1e-6: cos(1)
//= x 0.5 within 1e-6
model A
  function f
    input Real u;
    output Real y;
  algorithm
    y := sin(u);
    annotation(derivative = f_der, Inline = false);
  end f;
  function f_der
    input Real u;
    input Real der_u;
    output Real der_y;
  algorithm
    der_y := cos(u)*der_u;
  end f_der;
  Real y = f(time);
  Real d = der(y);
  Real x(start = 0, fixed = true), v(start = 0, fixed = true);
equation
  der(x) = v;
  der(v) = 1;
end A;

//--- an inverse annotation, noEvent, smooth, semiLinear, homotopy
//= stop 1
//= u 2 within 1e-9
//= s -3 within 1e-9
//= h 2 within 1e-9
//= n 1 within 1e-9
model A
  function square
    input Real u;
    output Real y;
  algorithm
    y := u^2;
    annotation(inverse(u = root(y)));
  end square;
  function root
    input Real y;
    output Real u;
  algorithm
    u := sqrt(y);
  end root;
  Real u(start = 1);
  Real s = semiLinear(-1, 2, 3);
  Real h(start = 1);
  Real n = noEvent(if time > 0.5 then smooth(1, time) else 0);
equation
  square(u) = 4;
  homotopy(h^3, h) = 8;
end A;

//--- texts
//= a 1 within 0
//= b 3 within 0
model A
  parameter String name = "pump";
  parameter String other = name + "2";
  Boolean a = other == "pump2";
  Integer b = if name == "valve" then 2 else 3;
equation
  assert(time < 10, "the time is " + String(time) + " in " + name);
end A;

//--- tables
//= stop 2
//= y 30 within 1e-9
//= z 5.5 within 1e-9
model A
  parameter Real x[3] = {0, 1, 3};
  Real y = Gemel.interp1(x, {0, 20, 40}, time);
  Real z = Gemel.interp2({0, 2}, {0, 1}, [1, 2; 9, 10], 1, 0.5);
end A;

//--- types of the standard library, constants, mathematics
//= stop 1
//= a 1.57079632679 within 1e-11: 3.141592653589793/2
//= w 9.80665 within 1e-12
//= p 101325 within 0
//= q 6 within 0
model A
  import Modelica.Constants.pi;
  import SI = Modelica.Units.SI;
  import Modelica.Units.SI.{Mass, Force};
  import Modelica.Math.*;
  SI.Angle a = asin(1);
  parameter Mass m = 1;
  Force w = m*Modelica.Constants.g_n;
  SI.AbsolutePressure p = 101325;
  Real q = 6*pi/Modelica.Constants.pi;
  Real e = Modelica.Math.exp(0);
end A;

//--- impure texts and printing are let be
//= y 1 within 0
model A
  Real y = 1;
equation
  when time > 0.5 then
    Modelica.Utilities.Streams.print("half");
  end when;
end A;

//--- vectorised call with one array argument and one scalar
//= y[2] 5 within 0
model A
  function add
    input Real a, b;
    output Real c;
  algorithm
    c := a + b;
  end add;
  Real y[3] = add({1, 2, 3}, 3);
end A;
