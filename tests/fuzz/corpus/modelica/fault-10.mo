model M
equation
  if x > 1 then
    y = 1;
  end for;
end M;