// Heat flow with known answers.
package Heat
  connector Port
    Real T(unit = "K");
    flow Real Q_flow(unit = "W");
  end Port;

  model Mass
    Port port;
    parameter Real C(unit = "J/K") = 1;
    Real T(unit = "K", start = 293.15);
  equation
    T = port.T;
    C*der(T) = port.Q_flow;
  end Mass;

  model Conductor
    Port a, b;
    parameter Real G(unit = "W/K") = 1;
    Real Q_flow(unit = "W") = a.Q_flow;
  equation
    a.Q_flow = G*(a.T - b.T);
    a.Q_flow + b.Q_flow = 0;
  end Conductor;

  model Fixed
    Port port;
    parameter Real T(unit = "K") = 293.15;
  equation
    port.T = T;
  end Fixed;

  model Source
    Port port;
    Real Q_flow(unit = "W");
  equation
    port.Q_flow = -Q_flow;
  end Source;

  model TwoMasses "two bodies end at the mean of their temperatures, weighted by their capacities"
    Mass mass1(C = 15, T(start = 373.15, fixed = true));
    Mass mass2(C = 5, T(start = 273.15, fixed = true));
    Conductor conduction(G = 10);
    Real T_final(unit = "K") = (mass1.T*mass1.C + mass2.T*mass2.C)/(mass1.C + mass2.C);
  equation
    connect(mass1.port, conduction.a);
    connect(conduction.b, mass2.port);
  end TwoMasses;

  model Controlled "a heater behind an on-off controller with hysteresis"
    Mass mass(C = 1, T(start = 293.15, fixed = true));
    Conductor wall(G = 0.1);
    Fixed ambient(T = 283.15);
    parameter Real power(unit = "W") = 4, T_set(unit = "K") = 303.15, band(unit = "K") = 2;
    Boolean on(start = true, fixed = true);
    Integer switches(start = 0, fixed = true);
    Source heater(Q_flow = if on then power else 0);
  equation
    on = pre(on) and mass.T < T_set + band/2 or mass.T < T_set - band/2;
    when change(on) then
      switches = pre(switches) + 1;
    end when;
    connect(heater.port, mass.port);
    connect(mass.port, wall.a);
    connect(wall.b, ambient.port);
  end Controlled;

  model Motor "winding and core of a motor that is loaded for 360 s of every 600 s"
    Mass winding(C = 2500, T(start = 293.15, fixed = true));
    Mass core(C = 25000, T(start = 293.15, fixed = true));
    Conductor between(G = 10), cooling(G = 25);
    Fixed ambient(T = 293.15);
    Source winding_loss(Q_flow = if loaded then 1000 else 100), core_loss(Q_flow = 500);
    discrete Real began(unit = "s", start = 0, fixed = true);
    Boolean loaded;
  equation
    when sample(0, 600) then
      began = time;
    end when;
    loaded = time < began + 360;
    connect(winding_loss.port, winding.port);
    connect(core_loss.port, core.port);
    connect(winding.port, between.a);
    connect(between.b, core.port);
    connect(core.port, cooling.a);
    connect(cooling.b, ambient.port);
  end Motor;
end Heat;
