package P
  import SI = Modelica.Units.SI;
  constant Real g = 9.81;
  type Mode = enumeration(off, on, auto);
  connector Pin
    SI.Voltage v;
    flow SI.Current i;
  end Pin;
  partial model TwoPin
    Pin p, n;
    SI.Voltage v;
    SI.Current i;
  equation
    v = p.v - n.v;
    p.i + n.i = 0;
    i = p.i;
  end TwoPin;
  model Resistor
    extends TwoPin;
    parameter SI.Resistance R = 1;
  equation
    v = R*i;
  end Resistor;
  model Capacitor
    extends TwoPin;
    parameter SI.Capacitance C(min=0) = 1;
  equation
    C*der(v) = i;
  end Capacitor;
  model Ground
    Pin p;
  equation
    p.v = 0;
  end Ground;
  model Source
    extends TwoPin;
    parameter Real A[:] = {1, 2, 3};
  equation
    v = sum(A[k]*sin(k*time) for k in 1:size(A,1));
  end Source;
  function poly
    input Real c[:];
    input Real x;
    output Real y;
  algorithm
    y := 0;
    for i in size(c,1):-1:1 loop
      y := y*x + c[i];
    end for;
  end poly;
  function clip "saturate"
    input Real x;
    input Real lo = -1;
    input Real hi = 1;
    output Real y;
  algorithm
    if x < lo then
      y := lo;
    elseif x > hi then
      y := hi;
    else
      y := x;
    end if;
  end clip;
  record Data
    Real a = 1;
    Real b[2] = {2, 3};
  end Data;
  model Ladder
    parameter Integer n = 3;
    Resistor r[n](R = {1, 2, 3});
    Capacitor c[n](each C = 0.1, v(each start=0, each fixed=true));
    Source s(A={1,0,0.5});
    Ground gnd;
    parameter Data d(a = 5);
    Data e = Data(b = {7, 8});
    Mode mode(start=Mode.off);
    Real y, z[2], w[2,2], q;
    Boolean hot;
    Integer count(start=0);
    Real u;
  equation
    connect(s.p, r[1].p);
    for i in 1:n-1 loop
      connect(r[i].n, r[i+1].p);
    end for;
    for i in 1:n loop
      connect(r[i].n, c[i].p);
      connect(c[i].n, gnd.p);
    end for;
    connect(s.n, gnd.p);
    y = poly({1,2,3}, time) + clip(time, hi=2.0) + d.a;
    z = {sin(time), g};
    w = [1, 2; 3, 4] * [z[1], 0; 0, z[2]];
    q = if hot then 1 else 2;
    hot = c[2].v > 0.5;
    when hot then
      count = pre(count) + 1;
      mode = if count > 3 then Mode.auto else Mode.on;
    elsewhen time > 5 then
      count = 0;
      mode = Mode.off;
    end when;
    u = Gemel.interp1({0,1,2},{0,10,40}, time);
    assert(q > 0, "q is " + String(q));
    if n > 2 then
      assert(true, "x");
    end if;
  end Ladder;
end P;
