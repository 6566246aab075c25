model Asset
  Boolean speed = true;
  annotation(__gemel(interface="dtmi:test:Asset;1", connect(drives="speed->level", feeds="speed->level")));
end Asset;
model Lost
  Real x = y;
  annotation(__gemel(interface="dtmi:test:Lost;1"));
end Lost;
