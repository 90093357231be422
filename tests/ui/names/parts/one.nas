use two.inner

block stem(x) { x -> inner }
