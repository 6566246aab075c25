model M
  constant Real c;
end M;