// Packages, inheritance, modification, redeclaration, connection.

//--- packages within packages, imports, constants
//= y 42 within 0
package P
  package Constants
    constant Real answer = 42;
    constant Integer three = 3;
  end Constants;
  package Parts
    import P.Constants;
    model One
      Real y = Constants.answer;
      Real z[Constants.three] = {1, 2, 3};
    end One;
  end Parts;
  model Main
    import C = P.Constants;
    extends Parts.One;
    Real q = C.three;
  end Main;
end P;

//--- extends with modifications, outer modification wins
//= stop 1
//= b.x 6 within 1e-6
//= a.x 2 within 1e-6
model Base
  parameter Real k = 1;
  Real x(start = 0, fixed = true);
equation
  der(x) = k;
end Base;
model Mid
  extends Base(k = 2);
end Mid;
model Main
  Mid a;
  Mid b(k = 3, x(start = 3));
end Main;

//--- partial classes with connectors
//= stop 1
//= c.v 6.32120558829 within 1e-6: 10 * (1-exp(-1))
//= r.i 0.735758882343 within 1e-6: 10 * exp(-1)/5
package El
  connector Pin
    Real v(unit = "V");
    flow Real i(unit = "A");
  end Pin;
  connector PosPin
    extends Pin;
  end PosPin;
  partial model TwoPin
    PosPin p;
    Pin n;
    Real v = p.v - n.v;
    Real i = p.i;
  equation
    p.i + n.i = 0;
  end TwoPin;
  model R
    extends TwoPin;
    parameter Real R(unit = "Ohm") = 1;
  equation
    v = R*i;
  end R;
  model C
    extends TwoPin(v(start = 0, fixed = true));
    parameter Real C(unit = "F") = 1;
  equation
    C*der(v) = i;
  end C;
  model V
    extends TwoPin;
    parameter Real V = 1;
  equation
    v = V;
  end V;
  model Ground
    Pin p;
  equation
    p.v = 0;
  end Ground;
  model Main
    R r(R = 5);
    C c(C = 0.2);
    V s(V = 10);
    Ground g;
  equation
    connect(s.p, r.p);
    connect(r.n, c.p);
    connect(c.n, s.n);
    connect(s.n, g.p);
  end Main;
end El;

//--- conditional components
//= stop 1
//= y 3 within 1e-9
model Main
  connector RealOutput = output Real;
  connector RealInput = input Real;
  block Const
    parameter Real k = 1;
    RealOutput y;
  equation
    y = k;
  end Const;
  parameter Boolean with_a = false;
  Const a(k = 2) if with_a;
  Const b(k = 3) if not with_a;
  block Gain
    RealInput u;
    RealOutput y = u;
  end Gain;
  Gain gain;
  Real y = gain.y;
equation
  connect(a.y, gain.u);
  connect(b.y, gain.u);
end Main;

//--- redeclare of a component and of a class
//= stop 1
//= y 6 within 1e-9
//= z 4 within 1e-9
model Main
  partial block Law
    input Real u;
    output Real y;
  end Law;
  block Linear
    extends Law;
    parameter Real k = 1;
  equation
    y = k*u;
  end Linear;
  block Square
    extends Law;
  equation
    y = u^2;
  end Square;
  model Pump
    replaceable Linear law constrainedby Law;
    Real y;
  equation
    law.u = 2*time;
    y = law.y;
  end Pump;
  model Generic
    replaceable block L = Linear constrainedby Law;
    L law(u = 2*time);
  end Generic;
  Pump p(redeclare Linear law(k = 3));
  Generic g(redeclare block L = Square);
  Real y = p.y;
  Real z = g.law.y;
end Main;

//--- a replaceable package with constants and functions
//= y 41860 within 1e-9: 4186 * 10
//= z 20001 within 1e-9: 2000 * 10 + 1
model Main
  partial package Medium
    constant Real cp = 1;
    replaceable partial function h
      input Real T;
      output Real y;
    end h;
  end Medium;
  package Water
    extends Medium(cp = 4186);
    redeclare function h
      input Real T;
      output Real y;
    algorithm
      y := cp*T;
    end h;
  end Water;
  package Oil
    constant Real cp = 2000;
    function h
      input Real T;
      output Real y;
    algorithm
      y := cp*T + 1;
    end h;
  end Oil;
  model Vessel
    replaceable package Medium = Water constrainedby Main.Medium;
    Real y = Medium.h(10);
  end Vessel;
  Vessel a;
  Vessel b(redeclare package Medium = Oil);
  Real y = a.y;
  Real z = b.y;
end Main;

//--- a class redeclared by extends, and by an element of the class
//= y 4 within 0
//= z 9 within 0
model Main
  block One
    parameter Real k = 1;
    Real y = k;
  end One;
  block Two
    parameter Real k = 1;
    Real y = k^2;
  end Two;
  model Base
    replaceable model Law = One;
    Law law(k = 2);
  end Base;
  model A
    extends Base(redeclare model Law = Two);
  end A;
  model B
    extends Base(law(k = 3));
    redeclare model Law = Two;
  end B;
  A a;
  B b;
  Real y = a.law.y;
  Real z = b.law.y;
end Main;

//--- inner and outer
//= stop 1
//= t.level 3 within 1e-9
//= u.level 5 within 1e-9
model World
  parameter Real g = 9.81;
  Real shared = 3*time;
end World;
model Thing
  outer World world;
  parameter Real k = 1;
  Real level = k*world.shared;
end Thing;
model Main
  inner World world(g = 1);
  Thing t;
  Thing u(k = 5/3);
end Main;

//--- types with units and modifiers of types
//= stop 1
//= T 280 within 0
//= v[2] 2 within 0
model Main
  type Celsius = Real(unit = "K", displayUnit = "degC", min = 0, start = 280);
  type Vector3 = Real[3](each unit = "m");
  Celsius T(fixed = true);
  Vector3 v = {1, 2, 3};
equation
  der(T) = 0;
end Main;

//--- protected, final, constants from expressions, nested modification
//= a.b.x 7 within 0
model Main
  model B
    parameter Real k = 1;
    final parameter Real q = 2*k + 1;
    Real x = q;
  end B;
  model A
    B b(k = 2);
  protected
    parameter Real hidden = 1;
  end A;
  A a(b(k = 3));
end Main;

//--- an array of models connected in a chain
//= stop 4
//= nodes[1].T 2.5 within 1e-2
//= m[4].T 2.5 within 1e-2
//= total 10 within 1e-7
model Main
  connector Port
    Real T;
    flow Real Q;
  end Port;
  model Node
    Port p;
    parameter Real T0 = 0;
    Real T(start = T0, fixed = true);
  equation
    der(T) = p.Q;
    T = p.T;
  end Node;
  model Link
    Port a, b;
    parameter Real G = 10;
  equation
    a.Q = G*(a.T - b.T);
    a.Q + b.Q = 0;
  end Link;
  parameter Integer n = 4;
  Node nodes[n](T0 = {1, 2, 3, 4});
  Link links[n - 1];
  Real total = sum(nodes.T);
  Node m[4](T0 = {4, 3, 2, 1});
  Link l[3];
equation
  for i in 1:n - 1 loop
    connect(nodes[i].p, links[i].a);
    connect(links[i].b, nodes[i + 1].p);
  end for;
  connect(m[1:3].p, l.a);
  connect(l.b, m[2:4].p);
end Main;

//--- within and a package of blocks from outside
//= stop 1
//= integrator.y 0.5 within 1e-6
within;
package Blocks "blocks"
  connector RealInput = input Real "in" annotation(Icon(graphics = {Polygon(points = {{-100, 100}, {100, 0}, {-100, -100}})}));
  connector RealOutput = output Real "out";
  partial block SISO
    RealInput u annotation(Placement(transformation(extent = {{-140, -20}, {-100, 20}})));
    RealOutput y;
  end SISO;
  block Integrator
    extends SISO(y(start = y0, fixed = true));
    parameter Real k(unit = "1") = 1;
    parameter Real y0 = 0;
  equation
    der(y) = k*u;
  end Integrator;
  block Ramp
    RealOutput y = time;
  end Ramp;
  model Main "main"
    Integrator integrator(k = 1) annotation(Placement(visible = true));
    Ramp ramp;
  equation
    connect(ramp.y, integrator.u) annotation(Line(points = {{0, 0}, {10, 10}}, color = {0, 0, 127}));
    annotation(experiment(StopTime = 1), Documentation(info = "<html>\"quoted\"</html>"));
  end Main;
end Blocks;

//--- a model as an operator of records, enumeration parameters that choose equations
//= stop 1
//= x 1.5 within 1e-6
model Main
  type Init = enumeration(none, steady, given);
  parameter Init init = Init.given;
  parameter Real x0 = 1.5;
  Real x;
  parameter Real u = 1;
initial equation
  if init == Init.steady then
    der(x) = 0;
  elseif init == Init.given then
    x = x0;
  end if;
equation
  der(x) = 0*(u - x);
end Main;
