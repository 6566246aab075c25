within Gemel;
package Translational "Things that move along one line"

  connector Flange "position, and force into the component"
    Real s(unit="m");
    flow Real f(unit="N");
  end Flange;

  model Mass "m dv/dt = sum of forces"
    parameter Real m(unit="kg", min=0) = 1;
    Flange a;
    Flange b;
    Real s(unit="m", start=0);
    Real v(unit="m/s", start=0);
  equation
    a.s = s;
    b.s = s;
    der(s) = v;
    m*der(v) = a.f + b.f;
  end Mass;

  model Rod "rigid, without mass: b is `L` ahead of a"
    parameter Real L(unit="m") = 0;
    Flange a;
    Flange b;
  equation
    b.s = a.s + L;
    0 = a.f + b.f;
  end Rod;

  model Spring "f = c (ds - L0), after Hooke"
    parameter Real c(unit="N/m", min=0) = 100;
    parameter Real L0(unit="m") = 0 "length without force";
    Flange a;
    Flange b;
    Real ds(unit="m", start=0) "b minus a";
    Real f(unit="N");
  equation
    ds = b.s - a.s;
    f = c*(ds - L0);
    b.f = f;
    a.f = -f;
  end Spring;

  model Damper "f = d v_rel"
    parameter Real d(unit="N.s/m", min=0) = 1;
    Flange a;
    Flange b;
    Real ds(unit="m", start=0) "b minus a";
    Real f(unit="N");
    Real loss(unit="W") "turned into heat";
  equation
    ds = b.s - a.s;
    f = d*der(ds);
    b.f = f;
    a.f = -f;
    loss = f*der(ds);
  end Damper;

  model SpringDamper "f = c (ds - L0) + d v_rel"
    parameter Real c(unit="N/m", min=0) = 100;
    parameter Real d(unit="N.s/m", min=0) = 1;
    parameter Real L0(unit="m") = 0;
    Flange a;
    Flange b;
    Real ds(unit="m", start=0) "b minus a";
    Real f(unit="N");
  equation
    ds = b.s - a.s;
    f = c*(ds - L0) + d*der(ds);
    b.f = f;
    a.f = -f;
  end SpringDamper;

  model Friction "viscous and dry, against the ground; the step of dry friction is a steep tanh"
    parameter Real d(unit="N.s/m", min=0) = 0.1 "viscous";
    parameter Real f_dry(unit="N", min=0) = 1;
    parameter Real v_small(unit="m/s", min=0) = 1e-3 "speed at which dry friction is three quarters there";
    Flange flange;
    Real v(unit="m/s");
  equation
    v = der(flange.s);
    flange.f = d*v + f_dry*tanh(v/v_small);
  end Friction;

  model Fixed "the ground"
    parameter Real s(unit="m") = 0;
    Flange flange;
  equation
    flange.s = s;
  end Fixed;

  model ForceSource "a force that is given from outside, onto what it is connected to"
    input Real f(unit="N");
    Flange flange;
  equation
    flange.f = -f;
  end ForceSource;

  model RackAndPinion "turning into moving: s = r phi"
    parameter Real r(unit="m", min=0) = 0.1;
    Rotational.Flange pinion;
    Flange rack;
  equation
    rack.s = r*pinion.phi;
    0 = pinion.tau + r*rack.f;
  end RackAndPinion;

end Translational;
