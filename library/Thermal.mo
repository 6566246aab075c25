within Gemel;
package Thermal "Heat: lumped capacities and the ways between them"

  connector HeatPort "temperature and heat flow into the component"
    Real T(unit="K", start=293.15, min=0);
    flow Real Q_flow(unit="W");
  end HeatPort;

  model HeatCapacity "a body of one temperature: C dT/dt = Q_flow"
    parameter Real C(unit="J/K", min=0) = 1e5 "heat capacity";
    Real T(unit="K", start=293.15, fixed=true) "temperature of the body";
    HeatPort port;
  equation
    port.T = T;
    C*der(T) = port.Q_flow;
  end HeatCapacity;

  partial model TwoPorts "between two temperatures, storing nothing"
    HeatPort a;
    HeatPort b;
    Real Q_flow(unit="W") "heat from a to b";
    Real dT(unit="K") "a minus b";
  equation
    dT = a.T - b.T;
    a.Q_flow = Q_flow;
    b.Q_flow = -Q_flow;
  end TwoPorts;

  model Conductor "Fourier's law of a wall or rod (Incropera 1.1), G = k A / L"
    extends TwoPorts;
    parameter Real G(unit="W/K", min=0) = 10 "thermal conductance";
  equation
    Q_flow = G*dT;
  end Conductor;

  model Convection "Newton's law of cooling (Incropera 1.3); a is the solid, b the fluid"
    extends TwoPorts;
    parameter Real h(unit="W/(m2.K)", min=0) = 10 "heat transfer coefficient";
    parameter Real A(unit="m2", min=0) = 1 "surface";
  equation
    Q_flow = h*A*dT;
  end Convection;

  model Radiation "exchange between a small grey body a and its surroundings b (Incropera 1.7)"
    extends TwoPorts;
    constant Real sigma(unit="W/(m2.K4)") = 5.670374419e-8 "Stefan-Boltzmann constant, CODATA 2018";
    parameter Real epsilon(min=0, max=1) = 0.9 "emissivity";
    parameter Real A(unit="m2", min=0) = 1 "surface";
  equation
    Q_flow = epsilon*sigma*A*(a.T^4 - b.T^4);
  end Radiation;

  model FixedTemperature "a temperature that nothing moves"
    parameter Real T(unit="K") = 293.15;
    HeatPort port;
  equation
    port.T = T;
  end FixedTemperature;

  model PrescribedTemperature "a temperature that is given from outside"
    input Real T(unit="K");
    HeatPort port;
  equation
    port.T = T;
  end PrescribedTemperature;

  model HeatSource "a heat flow that is given from outside, into what it is connected to"
    input Real Q_flow(unit="W");
    HeatPort port;
  equation
    port.Q_flow = -Q_flow;
  end HeatSource;

  model Zone "a building zone: five resistances, one capacity (ISO 13790, 7.2.2 and Annex C)"
    parameter Real A_floor(unit="m2", min=0) = 100 "conditioned floor area";
    parameter Real A_mass(unit="m2", min=0) = 2.5*A_floor "effective mass area, table 12, medium";
    constant Real c_medium(unit="J/(K.m2)") = 165000 "of the medium class, table 12";
    parameter Real C_mass(unit="J/K", min=0) = c_medium*A_floor "internal heat capacity";
    parameter Real H_window(unit="W/K", min=0) = 40 "transmission through windows and doors";
    parameter Real H_opaque(unit="W/K", min=0) = 60 "transmission through walls and roof";
    parameter Real H_air(unit="W/K", min=0) = 50 "ventilation and leaks";
    constant Real h_ms(unit="W/(m2.K)") = 9.1 "between mass and surfaces, 12.2.2";
    constant Real h_is(unit="W/(m2.K)") = 3.45 "between surfaces and air, 7.2.2.2";
    constant Real lambda_at = 4.5 "all internal surfaces per floor area, 7.2.2.2";
    parameter Real A_total(unit="m2") = lambda_at*A_floor;
    parameter Real H_ms(unit="W/K") = h_ms*A_mass;
    parameter Real H_is(unit="W/K") = h_is*A_total;
    parameter Real H_em(unit="W/K") = 1/(1/H_opaque - 1/H_ms) "between outside and mass, 12.2.2";
    input Real T_out(unit="K", start=273.15) "outside air";
    input Real Q_internal(unit="W", start=0) "people and appliances";
    input Real Q_solar(unit="W", start=0) "through the windows";
    input Real Q_heat(unit="W", start=0) "heating (positive) or cooling, into the air";
    Real T_mass(unit="K", start=293.15, fixed=true);
    Real T_surface(unit="K");
    Real T_air(unit="K");
    Real Q_air(unit="W"), Q_surface(unit="W"), Q_mass(unit="W");
  equation
    // C.1 to C.3: half of the internal gains go to the air, the rest with the sun to surfaces and mass
    Q_air = 0.5*Q_internal + Q_heat;
    Q_mass = A_mass/A_total*(0.5*Q_internal + Q_solar);
    Q_surface = (1 - A_mass/A_total - H_window/(h_ms*A_total))*(0.5*Q_internal + Q_solar);
    // balances of the three nodes
    C_mass*der(T_mass) = H_em*(T_out - T_mass) + H_ms*(T_surface - T_mass) + Q_mass;
    0 = H_ms*(T_mass - T_surface) + H_window*(T_out - T_surface) + H_is*(T_air - T_surface) + Q_surface;
    0 = H_air*(T_out - T_air) + H_is*(T_surface - T_air) + Q_air;
  end Zone;

end Thermal;
