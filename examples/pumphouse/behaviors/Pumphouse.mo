package Pumphouse "What the parts of a small waterworks do. Heights are counted from the pumps in the well"

  model Well "a borehole: the ground gives what the level's fall asks for (Thiem: flow in proportion to drawdown)"
    parameter Real restLevel(unit="m", min=0) = 15 "water above the pumps when nothing is taken";
    parameter Real A(unit="m2", min=0) = 3 "cross-section";
    parameter Real yield(unit="m2/s", min=0) = 0.02 "inflow for each metre of drawdown";
    parameter Real rho(unit="kg/m3", min=0) = 998.2;
    Real level(unit="m", start=15, fixed=true);
    Gemel.Fluid.Port port;
  equation
    port.p = rho*Gemel.Fluid.g*level;
    A*der(level) = yield*(restLevel - level) + port.m_flow/rho;
    annotation(__gemel(interface="dtmi:gemel:pumphouse:Well;1", connect(supplies="port,a"),
                       fault(dry="yield=0.002", low="restLevel=4")));
  end Well;

  model MotorReadings "what the motor's sensors show"
    Real temperature(unit="K", start=293.15, fixed=true) "of the windings";
    Real power(unit="W");
    Real vibration(unit="m/s") "root mean square of the velocity, as ISO 10816 judges it";
  end MotorReadings;

  model Pump "a submersible pump that is brought up to speed gently"
    parameter Real wear(min=0, max=1) = 0 "share of the head that is lost";
    parameter Real T_start(unit="s", min=0) = 5 "time constant of the soft starter";
    parameter Real vibrationNew(unit="m/s", min=0) = 1.4e-3 "at full speed, nothing worn";
    parameter Real vibrationWear(unit="m/s", min=0) = 2e-2 "more for all of the head lost";
    input Real speed(min=0, max=1.2, start=1) "when running";
    input Real run(start=1) "1 runs, 0 stands";
    Real rotation(min=0, max=1.2, start=0, fixed=true);
    Real 'flow'(unit="m3/s");
    MotorReadings motor;
    Gemel.Fluid.Port a, b;
    Gemel.Fluid.Pump machine(head0=70, head1=100, head2=4e4, power0=5000, power1=7e5, wear=wear, leak=2e-8, C_motor=6e4,
                             G_motor=60, T_motor(fixed=false));
  equation
    T_start*der(rotation) = run*speed - rotation;
    machine.speed = rotation;
    'flow' = machine.Q;
    motor.temperature = machine.T_motor;
    motor.power = machine.power;
    motor.vibration = (vibrationNew + vibrationWear*wear)*rotation^2;
    connect(a, machine.a);
    connect(machine.b, b);
    annotation(__gemel(interface="dtmi:gemel:pumphouse:Pump;1", connect(delivers="b,port"),
                       fault(wear="wear=0.25", stopped="speed=0", slow="speed=0.85", friction="machine.power0=9000",
                             uncooled="machine.G_motor=20"),
                       command(setSpeed="speed=request")));
  end Pump;

  model Leak "a hole to the open air (Torricelli)"
    parameter Real rho(unit="kg/m3", min=0) = 998.2;
    parameter Real area(unit="m2", min=0) = 0;
    Real lost(unit="m3/s");
    Gemel.Fluid.Port port;
  equation
    lost = area*sqrt(2*max(port.p, 0)/rho);
    port.m_flow = rho*lost;
  end Leak;

  model Vessel "an air vessel: a cushion of air that surges push against"
    Real pressure(unit="Pa", start=6.2e5, fixed=true);
    Gemel.Fluid.Port port;
    parameter Real leak(unit="m2", min=0) = 0 "area of a hole at its foot";
    Gemel.Fluid.Junction cushion(compliance=2e-3, p(fixed=false));
    Leak hole(area=leak);
  equation
    pressure = cushion.p;
    connect(port, cushion.port);
    connect(port, hole.port);
    annotation(__gemel(interface="dtmi:gemel:pumphouse:Vessel;1", connect(feeds="port,a"), fault(leak="leak=3e-5")));
  end Vessel;

  model Height "water standing in a pipe without friction"
    extends Gemel.Fluid.TwoPorts;
    parameter Real rise(unit="m") = 0 "from a to b";
  equation
    dp = rho*Gemel.Fluid.g*rise;
  end Height;

  model Main "the pipe up to the tower; a leak takes from its upper end"
    parameter Real leak(unit="m2", min=0) = 0 "area of the hole";
    Real 'flow'(unit="m3/s", start=0, fixed=true);
    Gemel.Fluid.Port a, b;
    Leak hole(area=leak);
    Gemel.Fluid.InertialPipe pipe(L=1200, D=0.2, f=0.02, rise=60, Q(fixed=false));
  equation
    'flow' = pipe.Q;
    connect(a, pipe.a);
    connect(pipe.b, b);
    connect(hole.port, b);
    annotation(__gemel(interface="dtmi:gemel:pumphouse:Main;1", connect(feeds="b,port"),
                       fault(leak="leak=4e-4", clogged="pipe.f=0.06")));
  end Main;

  model Tower "the tank above the town, and the sensor of its level"
    parameter Real area(unit="m2", min=0) = 60;
    parameter Real T_sensor(unit="s", min=0) = 5 "time constant of the sensor";
    parameter Real stuck(min=0, max=1) = 0 "1: the sensor shows what it showed";
    Real level(unit="m", start=3, fixed=true) "what the sensor shows";
    Gemel.Fluid.Port port;
    Gemel.Fluid.Tank tank(A=area, height=5.5, level(fixed=false));
  initial equation
    tank.level = level;
  equation
    T_sensor*der(level) = (1 - stuck)*(tank.level - level);
    connect(port, tank.port);
    annotation(__gemel(interface="dtmi:gemel:pumphouse:Tower;1", connect(feeds="port,a"),
                       fault(stuckSensor="stuck=1")));
  end Tower;

  model Valve
    parameter Real blockage(min=0, max=1) = 0 "share of the opening that something blocks";
    input Real opening(min=0, max=1, start=1);
    Real 'flow'(unit="m3/s");
    Gemel.Fluid.Port a, b;
    Gemel.Fluid.Valve valve(m_nominal=40, dp_nominal=2e4, dp_small=1000);
  equation
    valve.opening = opening*(1 - blockage);
    'flow' = valve.Q;
    connect(a, valve.a);
    connect(valve.b, b);
    annotation(__gemel(interface="dtmi:gemel:pumphouse:Valve;1", connect(feeds="b,port"),
                       fault(blocked="blockage=0.9"), command(setOpening="opening=request")));
  end Valve;

  model Town "a network with a little give, and those who open taps, more in the morning and in the evening"
    parameter Real base(unit="m3/s", min=0) = 0.014 "mean demand of an ordinary day";
    parameter Real fall(unit="m") = 30 "how far the town lies below the tower";
    parameter Real day(unit="s") = 86400;
    input Real demandFactor(min=0, start=1);
    Real pattern "share of the mean by the time of day";
    Real 'flow'(unit="m3/s");
    Real pressure(unit="Pa", start=3.2e5, fixed=true);
    parameter Real leak(unit="m2", min=0) = 0 "area of a hole in the network";
    Leak hole(area=leak);
    Gemel.Fluid.Port port;
    Gemel.Fluid.Junction network(compliance=2e-2, p(fixed=false));
    Gemel.Fluid.Demand taps;
    Height down(rise=-fall);
  equation
    pattern = Gemel.interp1({0, 3, 5, 7, 9, 12, 14, 17, 19, 21, 24},
                            {0.45, 0.35, 0.6, 1.7, 1.3, 1.15, 0.95, 1.1, 1.75, 1.2, 0.45}, 24*time/day, Gemel.Smooth.linear,
                            Gemel.Beyond.periodic);
    taps.demand = base*demandFactor*pattern;
    'flow' = taps.delivered;
    pressure = network.p;
    connect(port, down.a);
    connect(down.b, network.port);
    connect(down.b, taps.port);
    connect(down.b, hole.port);
    annotation(__gemel(interface="dtmi:gemel:pumphouse:Town;1", fault(leak="leak=4e-5")));
  end Town;

  model Controller "two hystereses: the lead pump between start and stop, the assist pump when that is not enough"
    parameter Real startLevel(unit="m") = 3;
    parameter Real assistLevel(unit="m") = 2.2;
    parameter Real stopLevel(unit="m") = 4.5;
    parameter Real band(unit="m", min=0) = 0.2 "at least between start and stop, wherever these are put";
    input Real level(unit="m", start=3);
    Boolean leadOn(start=false, fixed=true);
    Boolean assistOn(start=false, fixed=true);
    Real lead, assist;
  equation
    leadOn = level < startLevel or pre(leadOn) and level <= max(stopLevel, startLevel + band);
    assistOn = level < assistLevel or pre(assistOn) and level <= max(stopLevel, assistLevel + band);
    lead = if leadOn then 1 else 0;
    assist = if assistOn then 1 else 0;
    annotation(__gemel(interface="dtmi:gemel:pumphouse:Controller;1",
                       connect(watches="level<-level", leads="lead->run", assists="assist->run")));
  end Controller;

end Pumphouse;
