// Base Modelica as compilers write it: quoted names, one package around one model, everything scalar or small arrays.

//--- a package around a model, names in quotes
//= stop 1
//= body.T 322.580355294 within 1e-6: 293.15 + 80 * exp(-1)
//= body.port.Q_flow -294.303552937 within 1e-6: -80 * 100 * exp(-1)/10
//! base 0.1.0
package 'Cooling'
  model 'Cooling' "cools"
    parameter Real 'body.C'(quantity = "HeatCapacity", unit = "J/K", fixed = true) = 10.0 "capacity";
    parameter Real 'wall.G'(unit = "W/K") = 10.0;
    Real 'body.T'(start = 373.15, fixed = true, unit = "K", displayUnit = "degC", min = 0.0, nominal = 300.0, stateSelect = StateSelect.prefer);
    Real 'body.port.Q_flow'(unit = "W");
    Real 'wall.dT'(unit = "K");
  equation
    'body.C' * der('body.T') = 'body.port.Q_flow';
    'body.port.Q_flow' = -'wall.G' * 'wall.dT';
    'wall.dT' = 'body.T' - 293.15;
    annotation(experiment(StopTime = 1.0, Interval = 0.002));
  end 'Cooling';
end 'Cooling';

//--- constants, records and functions in the package
//= stop 1
//= y 7.25 within 1e-9
//= p.re 3 within 1e-12
//= z[2] 8 within 1e-12
package 'Calc'
  constant Real 'Calc.k' = 2.0;
  record 'Complex'
    Real 're';
    Real 'im';
  end 'Complex';
  type 'Mode' = enumeration('off', 'on');
  function 'Calc.poly' "c0 + c1 x + c2 x^2"
    input Real[:] 'c';
    input Real 'x';
    output Real 'y';
  protected
    Real 'power' = 1.0;
  algorithm
    'y' := 0.0;
    for 'i' in 1:size('c', 1) loop
      'y' := 'y' + 'c'['i'] * 'power';
      'power' := 'power' * 'x';
    end for;
    annotation(Inline = true);
  end 'Calc.poly';
  model 'Calc'
    'Complex' 'p'('re' = 3.0, 'im' = 4.0);
    Real 'y';
    final parameter Integer 'n' = 3;
    Real[3] 'z';
    parameter 'Mode' 'mode' = 'Mode'.'on';
  equation
    'y' = 'Calc.poly'({1.0, 'Calc.k', 1.0}, 1.5) + (if 'mode' == 'Mode'.'on' then 1.0 else 0.0);
    for 'i' in 1:'n' loop
      'z'['i'] = 4.0 * 'i';
    end for;
  end 'Calc';
end 'Calc';

//--- initial equations, when, pre, reinit
//= stop 1
//= n 4 within 0
//= x 0.4 within 1e-6
//= y 5 within 1e-6
package 'Hybrid'
  model 'Hybrid'
    Real 'x'(start = 0.0);
    discrete Integer 'n'(start = 0, fixed = true);
    Boolean 'b'(start = false, fixed = true);
    Real 'y';
    parameter Real 'x0'(fixed = false, start = 1.0);
  initial equation
    'x' = 'x0';
    'x0' * 'x0' * 'x0' = 0.0;
  equation
    der('x') = 1.0;
    when 'x' > 0.5 then
      reinit('x', 0.3);
    end when;
    when sample(0.1, 0.25) then
      'n' = pre('n') + 1;
      'b' = not pre('b');
    end when;
    'y' = if 'b' then -1.0 else 5.0;
  end 'Hybrid';
end 'Hybrid';

//--- array equations and a matrix of parameters
//= stop 1
//= x[1] 0.540302305868 within 1e-5: cos(1)
//= x[2] -0.841470984808 within 1e-5: -sin(1)
package 'Lin'
  model 'Lin'
    parameter Real[2, 2] 'A' = {{0.0, 1.0}, {-1.0, 0.0}};
    Real[2] 'x'(start = {1.0, 0.0}, each fixed = true);
  equation
    der('x') = 'A' * 'x';
  end 'Lin';
end 'Lin';

//--- no equations but bindings; names with every character
//= stop 1
//= a[1].b(c) 2 within 1e-12
//= $cse1 4 within 1e-12
package 'B'
  model 'B'
    Real 'a[1].b(c)' = 2.0 * time;
    Real '$cse1' = 'a[1].b(c)' + 2.0;
    protected Real '$p' = 1.0;
  end 'B';
end 'B';

//--- if equations, elseif, noEvent and smooth
//= stop 3
//= x 3 within 1e-6
package 'If'
  model 'If'
    Real 'x'(start = 0.0, fixed = true);
    Real 'v';
  equation
    if time < 1.0 then
      'v' = 0.0;
    elseif noEvent(time < 2.0) then
      'v' = 1.0;
    else
      'v' = smooth(0, if time < 10.0 then 2.0 else 3.0);
    end if;
    der('x') = 'v';
  end 'If';
end 'If';

//--- a when with initial() and elsewhen
//= stop 1
//= k 3 within 0
package 'W'
  model 'W'
    discrete Real 'k'(start = 0.0);
  equation
    when {initial(), time > 0.25} then
      'k' = pre('k') + 1.0;
    elsewhen time > 0.75 then
      'k' = pre('k') + 1.0;
    end when;
  end 'W';
end 'W';

//--- an algorithm with several assignments, and an initial algorithm
//= stop 1
//= a 11 within 1e-9
//= b 12 within 1e-9
//= q 7 within 1e-9
package 'Alg'
  model 'Alg'
    Real 'a';
    Real 'b';
    Real 'q'(start = 1.0);
  initial algorithm
    'q' := 3.0;
    'q' := 'q' + 4.0;
  equation
    der('q') = 0.0;
  algorithm
    'a' := 1.0;
    while 'a' < 10.0 loop
      'a' := 'a' + 5.0;
    end while;
    'b' := 'a' + 1.0;
  end 'Alg';
end 'Alg';
