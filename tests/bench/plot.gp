# SPDX-License-Identifier: GPL-2.0-or-later
# gnuplot -e "data='curve.dat'; out='curve.png'" plot.gp: cost a packet against the number of flows.
set terminal pngcairo size 1000,640 noenhanced
set output out
set datafile missing 'nan'
set logscale x 2
set xlabel 'flows, one at random for each packet'
set ylabel 'ns a packet (minimum of all rounds)'
set yrange [0:*]
set key top left
set grid
set xtics ('1' 1, '1 Ki' 1024, '16 Ki' 16384, '64 Ki' 65536, '1 Mi' 1048576, '4 Mi' 4194304, '16 Mi' 16777216)
plot for [i=2:*] data using 1:i with linespoints title columnheader(i)
