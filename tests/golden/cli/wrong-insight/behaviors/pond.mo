model Pond
  parameter Real leak(min=0) = 0.1;
  Real level(start=2, fixed=true);
equation
  der(level) = -leak*level;
  annotation(__gemel(interface="dtmi:test:Pond;1", fault(burst="leak=1")));
end Pond;
