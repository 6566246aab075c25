model Events "every way to an event"
  type Mode = enumeration(idle "nothing moves", run, stop);
  Mode mode(start = Mode.idle, fixed = true);
  Boolean go, odd(start = false);
  Integer count(start = 0);
  Real x(start = 0, fixed = true), y, held, noise;
  parameter Real limit = 2;
equation
  go = time > 1 or x > limit;
  der(x) = if mode == Mode.run then 1 else 0;
  y = noEvent(if x > 1 then x else -x) + smooth(1, abs(x)) + semiLinear(x - 1, 2, 3);
  noise = delay(x, 0.5) + integer(x) + mod(x, 0.7);
  when go then
    mode = Mode.run;
  elsewhen x >= 3 then
    mode = Mode.stop;
  end when;
  when {sample(0, 0.1), edge(go), initial()} then
    held = x;
    count = pre(count) + 1;
  end when;
  odd = change(count) and mod(count, 2) == 1;
  when x > 4 then
    reinit(x, 0);
    if count > 10 then
      terminate("counted");
    else
      assert(y < 100, "y = " + String(y), AssertionLevel.warning);
    end if;
  end when;
initial equation
  count = 5;
end Events;
