within Gemel;
package Rotational "Things that turn about one axis"

  connector Flange "angle, and torque into the component"
    Real phi(unit="rad");
    flow Real tau(unit="N.m");
  end Flange;

  model Inertia "J dw/dt = sum of torques"
    parameter Real J(unit="kg.m2", min=0) = 1;
    Flange a;
    Flange b;
    Real phi(unit="rad", start=0);
    Real w(unit="rad/s", start=0);
  equation
    a.phi = phi;
    b.phi = phi;
    der(phi) = w;
    J*der(w) = a.tau + b.tau;
  end Inertia;

  model Gear "without losses: a turns `ratio` times while b turns once"
    parameter Real ratio = 1;
    Flange a;
    Flange b;
  equation
    a.phi = ratio*b.phi;
    0 = ratio*a.tau + b.tau;
  end Gear;

  model SpringDamper "tau = c (dphi - phi0) + d w_rel"
    parameter Real c(unit="N.m/rad", min=0) = 100;
    parameter Real d(unit="N.m.s/rad", min=0) = 1;
    parameter Real phi0(unit="rad") = 0;
    Flange a;
    Flange b;
    Real dphi(unit="rad", start=0) "b minus a";
    Real tau(unit="N.m");
  equation
    dphi = b.phi - a.phi;
    tau = c*(dphi - phi0) + d*der(dphi);
    b.tau = tau;
    a.tau = -tau;
  end SpringDamper;

  model Friction "viscous and dry, against the housing; the step of dry friction is a steep tanh"
    parameter Real d(unit="N.m.s/rad", min=0) = 0.01 "viscous";
    parameter Real tau_dry(unit="N.m", min=0) = 0.1;
    parameter Real w_small(unit="rad/s", min=0) = 0.01 "speed at which dry friction is three quarters there";
    Flange flange;
    Real phi(unit="rad");
    Real w(unit="rad/s");
  equation
    phi = flange.phi;
    w = der(phi);
    flange.tau = d*w + tau_dry*tanh(w/w_small);
  end Friction;

  model Fixed "the housing"
    parameter Real phi(unit="rad") = 0;
    Flange flange;
  equation
    flange.phi = phi;
  end Fixed;

  model TorqueSource "a torque that is given from outside, into what it is connected to"
    input Real tau(unit="N.m");
    Flange flange;
  equation
    flange.tau = -tau;
  end TorqueSource;

  model Motor "direct current, permanent magnets: u = R i + L di/dt + k w, tau = k i"
    parameter Real R(unit="Ohm", min=0) = 1;
    parameter Real L(unit="H", min=0) = 1e-3;
    parameter Real k(unit="V.s/rad") = 0.1;
    input Real u(unit="V", start=0);
    Real i(unit="A", start=0, fixed=true);
    Real w(unit="rad/s");
    Real phi(unit="rad");
    Real loss(unit="W");
    Flange flange;
  equation
    phi = flange.phi;
    w = der(phi);
    u = R*i + L*der(i) + k*w;
    flange.tau = -k*i;
    loss = R*i^2;
  end Motor;

  model Bearing "friction that grows with wear; wear grows with sliding distance times load (Archard)"
    parameter Real d(unit="N.m.s/rad", min=0) = 0.01 "viscous friction when new";
    parameter Real load(unit="N", min=0) = 1000;
    parameter Real r(unit="m", min=0) = 0.02 "radius of the race";
    parameter Real k(unit="1/(N.m)", min=0) = 1e-15 "wear per sliding distance and load; 1 is worn out";
    parameter Real growth(min=0) = 4 "friction of a worn-out bearing over that of a new one, minus one";
    Real wear(start=0, fixed=true, min=0) "0 new, 1 worn out";
    Real phi(unit="rad");
    Real w(unit="rad/s");
    Flange flange;
  equation
    phi = flange.phi;
    w = der(phi);
    der(wear) = k*load*r*abs(w);
    flange.tau = d*(1 + growth*wear)*w;
  end Bearing;

end Rotational;
