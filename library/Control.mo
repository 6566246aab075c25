within Gemel;
package Control "Signal blocks"

  block PID "parallel form with filtered derivative, limits, and back-calculation against wind-up (Åström, chapter 3)"
    parameter Real k = 1 "gain";
    parameter Real Ti(unit="s", min=0) = 10 "integral time";
    parameter Real Td(unit="s", min=0) = 0 "derivative time";
    parameter Real N(min=0) = 10 "derivative filter: at most N times the gain";
    parameter Real Tt(unit="s", min=0) = Ti "tracking time: how fast the integral follows a limited output";
    parameter Real y_min = 0;
    parameter Real y_max = 1;
    parameter Real bias = 0;
    input Real setpoint;
    input Real measurement;
    output Real y;
    Real e "setpoint minus measurement";
    Real integral(start=0, fixed=true);
    Real filtered(start=0) "the measurement, low-passed, for the derivative";
    Real derivative;
    Real free "the output before its limits";
  initial equation
    filtered = measurement;
  equation
    e = setpoint - measurement;
    der(filtered) = (measurement - filtered)/max(Td/N, 1e-3);
    derivative = -k*Td*der(filtered);
    der(integral) = k*e/Ti + (y - free)/Tt;
    free = bias + k*e + integral + derivative;
    y = smooth(0, if free > y_max then y_max elseif free < y_min then y_min else free);
  end PID;

  block Hysteresis "on above high, off below low, and as it was in between"
    parameter Real low = 0;
    parameter Real high = 1;
    parameter Boolean y_start = false;
    input Real u;
    output Boolean y(start=y_start, fixed=true);
  equation
    y = u > high or pre(y) and u >= low;
  end Hysteresis;

  block LowPass "first order: T dy/dt + y = k u"
    parameter Real T(unit="s", min=0) = 1;
    parameter Real k = 1;
    input Real u;
    output Real y(start=0, fixed=true);
  equation
    T*der(y) = k*u - y;
  end LowPass;

  block SecondOrder "k w^2 / (s^2 + 2 D w s + w^2)"
    parameter Real w(unit="rad/s", min=0) = 1;
    parameter Real D(min=0) = 0.7 "damping";
    parameter Real k = 1;
    input Real u;
    output Real y(start=0, fixed=true);
    Real rate(start=0, fixed=true);
  equation
    der(y) = rate;
    der(rate) = w^2*(k*u - y) - 2*D*w*rate;
  end SecondOrder;

  block RateLimiter "follows its input no faster than its limits"
    parameter Real rise(min=0) = 1 "per second";
    parameter Real fall(min=0) = 1 "per second";
    parameter Real T(unit="s", min=0) = 0.01 "time constant while within the limits";
    input Real u;
    output Real y(start=0, fixed=true);
  equation
    der(y) = smooth(0, if (u - y)/T > rise then rise elseif (u - y)/T < -fall then -fall else (u - y)/T);
  end RateLimiter;

  block Limiter
    parameter Real low = 0;
    parameter Real high = 1;
    input Real u;
    output Real y;
  equation
    y = smooth(0, if u > high then high elseif u < low then low else u);
  end Limiter;

  block Sequencer "steps through `values`, `period` seconds each, and starts again"
    parameter Real period(unit="s", min=0) = 3600;
    parameter Real values[:] = {0, 1};
    output Real y;
    Integer step(start=1, fixed=true);
  equation
    when sample(period, period) then
      step = if pre(step) >= size(values, 1) then 1 else pre(step) + 1;
    end when;
    y = sum(if step == i then values[i] else 0 for i in 1:size(values, 1));
  end Sequencer;

end Control;
