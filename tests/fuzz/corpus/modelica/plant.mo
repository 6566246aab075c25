within;
package Plant "conditional parts, nested connectors, records, inheritance with modifications"
  import SI = Modelica.Units.SI;
  import Modelica.Constants.pi;
  connector Fluid
    SI.Pressure p;
    flow SI.MassFlowRate m;
  end Fluid;
  connector Signal = input Real;
  connector SignalOut = output Real;
  record Medium "what flows"
    SI.Density rho = 1000;
    parameter Real c[2] = {4180, 2000};
  end Medium;
  record Oil = Medium(rho = 850);
  partial model Base
    parameter Medium medium;
    parameter Boolean heated = false;
    Fluid port;
    SI.Temperature T(start = 293.15, displayUnit = "degC") if heated;
  end Base;
  model Tank
    extends Base(medium(rho = 998));
    parameter SI.Area A = pi/4;
    parameter SI.Height h0 = 1;
    SI.Height h(start = h0, fixed = true, min = 0);
    SignalOut level = h;
  equation
    port.p = medium.rho*Modelica.Constants.g_n*h;
    medium.rho*A*der(h) = port.m;
    if heated then
      der(T) = 0;
    end if;
    annotation(__gemel(interface = "dtmi:plant:Tank;1", connect(feeds = "port,a")));
  end Tank;
  model Valve
    Fluid a, b;
    Signal opening;
    parameter Real k(unit = "kg/(s.Pa)") = 1e-3;
  equation
    a.m + b.m = 0;
    a.m = opening*k*(a.p - b.p);
  end Valve;
  block Control
    Signal u[2];
    SignalOut y;
    parameter Real gain = 1;
  algorithm
    y := gain*(u[1] - u[2]);
    if y > 1 then
      y := 1;
    elseif y < 0 then
      y := 0;
    end if;
  end Control;
  model Pair
    parameter Integer n = 2;
    Tank tank[n](h0 = {3, 0.5}, heated = {false, true}, each A = 2);
    Valve valve;
    Control control(gain = 0.25);
    Tank spare(medium = Oil(c = {1, 2})) if n > 2;
    Real total = sum(tank.h), worst = max(tank[:].h);
  equation
    connect(tank[1].port, valve.a);
    connect(valve.b, tank[2].port);
    for i in 1:n loop
      connect(tank[i].level, control.u[i]);
    end for;
    connect(control.y, valve.opening);
    connect(spare.port, valve.a);
  end Pair;
end Plant;
