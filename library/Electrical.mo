within Gemel;
package Electrical "Lumped circuits"

  connector Pin "potential and current into the component"
    Real v(unit="V");
    flow Real i(unit="A");
  end Pin;

  partial model TwoPins "between two potentials; what flows in at p flows out at n"
    Pin p;
    Pin n;
    Real v(unit="V") "p minus n";
    Real i(unit="A") "from p to n";
  equation
    v = p.v - n.v;
    p.i = i;
    n.i = -i;
  end TwoPins;

  model Ground "the zero of potentials"
    Pin p;
  equation
    p.v = 0;
  end Ground;

  model Resistor "Ohm's law"
    extends TwoPins;
    parameter Real R(unit="Ohm") = 1;
    Real loss(unit="W");
  equation
    v = R*i;
    loss = v*i;
  end Resistor;

  model Capacitor
    extends TwoPins(v(start=0));
    parameter Real C(unit="F", min=0) = 1e-6;
  equation
    i = C*der(v);
  end Capacitor;

  model Inductor
    extends TwoPins(i(start=0));
    parameter Real L(unit="H", min=0) = 1e-3;
  equation
    L*der(i) = v;
  end Inductor;

  model ConstantVoltage
    extends TwoPins;
    parameter Real V(unit="V") = 1;
  equation
    v = V;
  end ConstantVoltage;

  model SineVoltage
    extends TwoPins;
    parameter Real V(unit="V") = 1 "amplitude";
    parameter Real f(unit="Hz", min=0) = 50;
    parameter Real phase(unit="rad") = 0;
    constant Real pi = 3.14159265358979324;
  equation
    v = V*sin(2*pi*f*time + phase);
  end SineVoltage;

  model VoltageSource "a voltage that is given from outside"
    extends TwoPins;
    input Real V(unit="V");
  equation
    v = V;
  end VoltageSource;

  model CurrentSource "a current that is given from outside, through the source from p to n"
    extends TwoPins;
    input Real I(unit="A");
  equation
    i = I;
  end CurrentSource;

  model Battery "a lithium-iron-phosphate cell: open-circuit voltage, R0, one RC pair (Plett, chapter 2), ageing (Wang, eq. 4)"
    extends TwoPins;
    parameter Real Q_new(unit="C", min=0) = 2.2*3600 "capacity when new";
    parameter Real R0(unit="Ohm", min=0) = 0.01;
    parameter Real R1(unit="Ohm", min=0) = 0.015;
    parameter Real C1(unit="F", min=0) = 2400;
    parameter Real T(unit="K", min=200) = 298.15 "temperature of the cell";
    parameter Real c_rate(min=0) = 1 "typical current over capacity, for ageing";
    parameter Real ocv_soc[:] = {0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1} "states of charge of the curve ...";
    parameter Real ocv_v[:](each unit="V") = {2.6, 3.1, 3.2, 3.25, 3.29, 3.31, 3.33, 3.36, 3.5} "... and its open-circuit voltages";
    constant Real gas(unit="J/(mol.K)") = 8.314462618;
    parameter Real fade = 31630*exp(-(31700 - 370.3*c_rate)/(gas*T)) "percent lost per Ah^0.55";
    Real soc(start=1, fixed=true, min=0, max=1) "state of charge";
    Real v1(unit="V", start=0, fixed=true) "over the RC pair";
    Real ocv(unit="V");
    Real throughput(start=1e-6, fixed=true) "charge that went out, in ampere-hours";
    Real loss "capacity lost, percent of new";
    Real Q(unit="C") "capacity now";
  equation
    ocv = Gemel.interp1(ocv_soc, ocv_v, soc);
    v = ocv + v1 + R0*i;
    C1*der(v1) = i - v1/R1;
    Q*der(soc) = i;
    der(throughput) = max(-i, 0)/3600;
    loss = fade*throughput^0.55;
    Q = Q_new*(1 - loss/100);
  end Battery;

end Electrical;
