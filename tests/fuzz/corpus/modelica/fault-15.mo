model M
  Reel x;
end M;