model M
  Real y = if true then 1;
end M;