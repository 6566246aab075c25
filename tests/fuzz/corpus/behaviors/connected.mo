model T
  parameter Real k = 1;
  parameter Real hole = k*2;
  Real x(start=k, fixed=true);
  Boolean on(start=false, fixed=true);
  input Real u = 0;
equation
  der(x) = -k*x + u*hole;
  on = x > 1 or pre(on) and x > 0.5;
  annotation(__gemel(interface="dtmi:f:T;1", connect(to="x->u"), fault(f="k=2, u=1"), command(c="u=request")));
end T;
