within Gemel;
package Fluid "Water networks: incompressible, isothermal, gauge pressures"

  constant Real g(unit="m/s2") = 9.80665 "standard gravity";

  connector Port "gauge pressure at the port's own height, and mass flow into the component"
    Real p(unit="Pa", start=0, nominal=1e5);
    flow Real m_flow(unit="kg/s", nominal=10);
  end Port;

  partial model TwoPorts "between two pressures, storing nothing"
    parameter Real rho(unit="kg/m3", min=0) = 998.2 "density of water at 20 degrees Celsius";
    Port a;
    Port b;
    Real m_flow(unit="kg/s", start=0) "from a to b";
    Real dp(unit="Pa") "pressure at a minus pressure at b";
    Real Q(unit="m3/s") "volume flow from a to b";
  equation
    dp = a.p - b.p;
    a.m_flow = m_flow;
    b.m_flow = -m_flow;
    m_flow = rho*Q;
  end TwoPorts;

  model Tank "an open tank with upright walls: rho A dh/dt = inflow"
    parameter Real rho(unit="kg/m3", min=0) = 998.2;
    parameter Real A(unit="m2", min=0) = 10 "cross-section";
    parameter Real height(unit="m", min=0) = 5 "above which it spills";
    Real level(unit="m", start=1, fixed=true);
    Real V(unit="m3") "what it holds";
    Port port "at the bottom";
  equation
    port.p = rho*g*level;
    rho*A*der(level) = port.m_flow;
    V = A*level;
  end Tank;

  model Reservoir "a water surface that nothing moves, at a height above the port"
    parameter Real rho(unit="kg/m3", min=0) = 998.2;
    parameter Real head(unit="m") = 0;
    Port port;
  equation
    port.p = rho*g*head;
  end Reservoir;

  model Pipe "a full round pipe with wall friction (White 6.10), rising by `rise` from a to b"
    extends TwoPorts;
    parameter Real L(unit="m", min=0) = 100 "length";
    parameter Real D(unit="m", min=0) = 0.1 "inner diameter";
    parameter Real roughness(unit="m", min=0) = 0.1e-3 "of the wall";
    parameter Real rise(unit="m") = 0;
    parameter Real nu(unit="m2/s", min=0) = 1.004e-6 "kinematic viscosity of water at 20 degrees Celsius";
    parameter Real A(unit="m2") = 3.14159265358979324/4*D^2;
    Real v(unit="m/s") "mean velocity";
    Real Re "Reynolds number";
    Real f "friction factor of the turbulent branch (Haaland, White 6.49)";
    Real share "of the turbulent branch: from 0 at Re = 2000 to 1 at Re = 4000, so that the loss has no step";
  equation
    Q = A*v;
    Re = abs(v)*D/nu;
    share = smooth(0, if Re < 2000 then 0 elseif Re > 4000 then 1 else (Re - 2000)/2000);
    f = 1/(1.8*log10((roughness/D/3.7)^1.11 + 6.9/max(Re, 1000)))^2;
    dp = rho*g*rise + L/D*rho/2*((1 - share)*64*nu/D*v + share*f*v*abs(v));
  end Pipe;

  model HazenWilliamsPipe "the water engineers' formula: h = 10.67 L Q^1.852 / (C^1.852 D^4.8704)"
    extends TwoPorts;
    parameter Real L(unit="m", min=0) = 100 "length";
    parameter Real D(unit="m", min=0) = 0.1 "inner diameter";
    parameter Real C(min=0) = 130 "roughness coefficient: 150 smooth plastic ... 60 old iron";
    parameter Real rise(unit="m") = 0;
    parameter Real Q_small = 1e-6 "flow below which the loss turns linear, m3/s";
    Real q "volume flow as a bare number of m3/s: the formula is an empirical one in these units";
    Real loss(unit="m") "head lost to friction";
  equation
    q = Q*1;
    loss = 10.67*L*q*(q^2 + Q_small^2)^0.426/(C^1.852*D^4.8704);
    dp = rho*g*(rise + loss);
  end HazenWilliamsPipe;

  model InertialPipe "a full round pipe whose water has inertia: rho L dv/dt = dp - weight - friction (White 6.10, and
      6.13 for the laminar part). Its flow is a state, so networks of such pipes between tanks and junctions need no algebraic loops"
    extends TwoPorts(Q(start=0, fixed=true));
    parameter Real L(unit="m", min=0) = 100 "length";
    parameter Real D(unit="m", min=0) = 0.1 "inner diameter";
    parameter Real f(min=0) = 0.02 "friction factor, of rough turbulent flow";
    parameter Real rise(unit="m") = 0;
    parameter Real nu(unit="m2/s", min=0) = 1.004e-6 "kinematic viscosity of water at 20 degrees Celsius";
    parameter Real A(unit="m2") = 3.14159265358979324/4*D^2;
    Real v(unit="m/s") "mean velocity";
  equation
    Q = A*v;
    rho*L/A*der(Q) = dp - rho*g*rise - L/D*rho/2*(64*nu/D + f*abs(v))*v;
  end InertialPipe;

  model Valve "flow by opening and the square root of dp, linear near zero so that it may turn"
    extends TwoPorts;
    parameter Real m_nominal(unit="kg/s", min=0) = 10 "flow when open at ...";
    parameter Real dp_nominal(unit="Pa", min=0) = 1e5 "... this pressure difference";
    parameter Real dp_small(unit="Pa", min=0) = 10;
    input Real opening(min=0, max=1, start=1);
  equation
    m_flow = opening*m_nominal*dp/(sqrt(dp_nominal)*(dp^2 + dp_small^2)^0.25);
  end Valve;

  model Pump "a centrifugal pump with check valve: quadratic head, linear power, similarity rules (White, chapter 11)"
    extends TwoPorts;
    parameter Real head0(unit="m", min=0) = 50 "head at no flow and full speed";
    parameter Real head1(unit="s/m2", min=0) = 50 "head lost per flow";
    parameter Real head2(unit="s2/m5", min=0) = 2e4 "head lost per flow squared";
    parameter Real power0(unit="W", min=0) = 2000 "taken at no flow and full speed";
    parameter Real power1(unit="W.s/m3", min=0) = 6e5 "more per flow, at full speed";
    parameter Real wear(min=0, max=1) = 0 "share of the head that is lost to worn clearances";
    parameter Real leak(unit="kg/(s.Pa)", min=0) = 1e-9 "through the check valve when it is shut";
    parameter Real C_motor(unit="J/K", min=0) = 2e4 "heat capacity of the motor";
    parameter Real G_motor(unit="W/K", min=0) = 25 "from the motor to its surroundings";
    parameter Real efficiency(min=0, max=1) = 0.9 "of the motor";
    parameter Real T_ambient(unit="K") = 293.15;
    input Real speed(min=0, max=1.2, start=1) "relative to full speed";
    Real push(unit="Pa") "what the pump could lift beyond what is against it; the check valve shuts when negative";
    Real slope(unit="s/m2") "of the curve at no flow";
    Real head(unit="m") "that it makes at this flow";
    Real power(unit="W") "electrical";
    Real T_motor(unit="K", start=293.15, fixed=true);
  equation
    // dp is negative while the pump lifts: b has the higher pressure
    push = (1 - wear)*head0*speed^2*rho*g + dp;
    head = (1 - wear)*head0*speed^2 - head1*speed*Q - head2*Q*abs(Q);
    // The flow at which the curve balances the push: the root of head1 n Q + head2 Q^2 = push/(rho g), in the form that
    // does not cancel. Both sides have no flow at no push, so that the valve shuts without a step and needs no event.
    slope = head1*max(speed, 0.01);
    Q = noEvent(if push > 0 then 2*push/(rho*g)/(slope + sqrt(slope^2 + 4*head2*max(push, 0)/(rho*g))) else leak*push/rho);
    power = (power0*speed^3 + power1*max(Q, 0)*speed^2)/efficiency;
    C_motor*der(T_motor) = (1 - efficiency)*power - G_motor*(T_motor - T_ambient);
  end Pump;

  model Junction "where pipes meet; a little elasticity keeps the network an ordinary differential equation"
    parameter Real compliance(unit="kg/Pa", min=0) = 1e-6 "mass that one pascal packs in";
    Real p(unit="Pa", start=1e5, fixed=true);
    Port port;
  equation
    port.p = p;
    compliance*der(p) = port.m_flow;
  end Junction;

  model Demand "a flow that is taken out, less of it when the pressure is too low to deliver it (Wagner)"
    parameter Real rho(unit="kg/m3", min=0) = 998.2;
    parameter Real p_full(unit="Pa", min=0) = 2e5 "pressure from which on all is delivered";
    parameter Real p_small(unit="Pa", min=0) = 1e3 "below which delivery falls linearly";
    input Real demand(unit="m3/s", min=0, start=0.01);
    Real delivered(unit="m3/s");
    Real share(min=0, max=1);
    Port port;
  equation
    share = smooth(0, if port.p >= p_full then 1 elseif port.p > p_small then sqrt(port.p/p_full)
                      elseif port.p > 0 then port.p/p_small*sqrt(p_small/p_full) else 0);
    delivered = demand*share;
    port.m_flow = rho*delivered;
  end Demand;

end Fluid;
