// Circuits with known answers. The components say what a circuit book says about each element and nothing else.
package Circuits
  connector Pin
    Real v(unit = "V");
    flow Real i(unit = "A");
  end Pin;

  partial model OnePort "two pins, one current"
    Pin p, n;
    Real v(unit = "V") = p.v - n.v;
    Real i(unit = "A") = p.i;
  equation
    p.i + n.i = 0;
  end OnePort;

  model Ground
    Pin p;
  equation
    p.v = 0;
  end Ground;

  model Resistor
    extends OnePort;
    parameter Real R(unit = "Ohm") = 1;
  equation
    v = R*i;
  end Resistor;

  model Capacitor
    extends OnePort;
    parameter Real C(unit = "F") = 1;
  equation
    C*der(v) = i;
  end Capacitor;

  model Inductor
    extends OnePort;
    parameter Real L(unit = "H") = 1;
  equation
    L*der(i) = v;
  end Inductor;

  model SaturatingInductor "flux saturates as an arc tangent between the inductance without current and that at infinity"
    extends OnePort;
    parameter Real Inom(unit = "A") = 1, Lnom(unit = "H") = 1, Lzer(unit = "H") = 2, Linf(unit = "H") = 0.5;
    Real Lact(unit = "H", start = Lnom), Psi(unit = "V.s", start = 0, fixed = true);
    parameter Real Ipar(unit = "A", start = Inom/10, fixed = false);
  initial equation
    Lnom - Linf = (Lzer - Linf)*Ipar/Inom*(Modelica.Constants.pi/2 - atan(Ipar/Inom));
  equation
    (Lact - Linf)*i/Ipar = (Lzer - Linf)*noEvent(atan(i/Ipar));
    Psi = Lact*i;
    v = der(Psi);
  end SaturatingInductor;

  model Diode "ideal: one straight line for each of its two states, through a common curve parameter"
    extends OnePort;
    parameter Real Ron(unit = "Ohm") = 1e-3, Goff(unit = "S") = 1e-5;
    Boolean off(start = true);
  protected
    Real s(start = 0);
    constant Real unitV(unit = "V") = 1, unitA(unit = "A") = 1;
  equation
    off = s < 0;
    v = s*unitA*(if off then unitV/unitA else Ron);
    i = s*unitV*(if off then Goff else unitA/unitV);
  end Diode;

  model PiecewiseConductor "slope Ga up to the voltage Ve, Gb beyond"
    extends OnePort;
    parameter Real Ga(unit = "S") = -0.75, Gb(unit = "S") = -0.4, Ve(unit = "V") = 1;
  equation
    i = if v < -Ve then Gb*(v + Ve) - Ga*Ve elseif v > Ve then Gb*(v - Ve) + Ga*Ve else Ga*v;
  end PiecewiseConductor;

  model StepVoltage
    extends OnePort;
    parameter Real V(unit = "V") = 1, start(unit = "s") = 0;
  equation
    v = if time < start then 0 else V;
  end StepVoltage;

  model SineVoltage
    extends OnePort;
    parameter Real V(unit = "V") = 1, f(unit = "Hz") = 1;
  equation
    v = V*sin(2*Modelica.Constants.pi*f*time);
  end SineVoltage;

  model LowPass "a ladder of fifth order; its capacitors close loops, so three of five are states"
    StepVoltage source(V = 1, start = 1);
    Resistor r1(R = 1), r2(R = 1);
    Capacitor c1(C = 1.05), c2(C = 0.26), c3(C = 1.7), c4(C = 0.84), c5(C = 0.73);
    Inductor l1(L = 1.3, i(start = 0, fixed = true)), l2(L = 0.86, i(start = 0, fixed = true));
    Ground ground;
  initial equation
    c1.v = 0;
    c3.v = 0;
    c5.v = 0;
  equation
    connect(source.p, r1.p);
    connect(r1.n, c1.p);
    connect(r1.n, l1.p);
    connect(r1.n, c2.p);
    connect(l1.n, c2.n);
    connect(l1.n, c3.p);
    connect(l1.n, l2.p);
    connect(l1.n, c4.p);
    connect(l2.n, c4.n);
    connect(l2.n, c5.p);
    connect(l2.n, r2.p);
    connect(c1.n, ground.p);
    connect(c3.n, ground.p);
    connect(c5.n, ground.p);
    connect(r2.n, ground.p);
    connect(source.n, ground.p);
  end LowPass;

  model Chua "an oscillator with a negative resistance, chaotic in the long run"
    Inductor l(L = 18, i(start = 0, fixed = true));
    Resistor rl(R = 0.0125), g(R = 1/0.565);
    Capacitor c1(C = 10, v(start = 4, fixed = true)), c2(C = 100, v(start = 0, fixed = true));
    PiecewiseConductor nr(Ga = -0.757576, Gb = -0.409091, Ve = 1);
    Ground ground;
  equation
    connect(l.n, rl.p);
    connect(l.p, c2.p);
    connect(c2.p, g.p);
    connect(g.n, c1.p);
    connect(c1.p, nr.p);
    connect(rl.n, ground.p);
    connect(c2.n, ground.p);
    connect(c1.n, ground.p);
    connect(nr.n, ground.p);
  end Chua;

  model Rectifier "four diodes, a smoothing capacitor, a load"
    SineVoltage source(V = 10, f = 50);
    Resistor inner_(R = 0.5), load(R = 50);
    Diode d1, d2, d3, d4;
    Capacitor c(C = 2e-3, v(start = 0, fixed = true));
    Ground ground;
  equation
    connect(source.p, inner_.p);
    connect(inner_.n, d1.p);
    connect(inner_.n, d2.n);
    connect(source.n, d3.p);
    connect(source.n, d4.n);
    connect(d1.n, d3.n);
    connect(d2.p, d4.p);
    connect(d1.n, c.p);
    connect(d2.p, c.n);
    connect(load.p, c.p);
    connect(load.n, c.n);
    connect(c.n, ground.p);
  end Rectifier;

  model Saturation
    SineVoltage source(V = 1, f = 1.5);
    SaturatingInductor l;
    Ground ground;
  equation
    connect(source.p, l.p);
    connect(source.n, l.n);
    connect(source.n, ground.p);
  end Saturation;
end Circuits;
